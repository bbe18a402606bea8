export { type ExtractOptions, extractArchive, PARTIAL } from './extract.js';
export { ArchiveFault, type ArchiveFaultKind, CONPAAS_ARCHIVE_TEXTS } from './fault.js';
export { type ArchiveReport, inspectArchive } from './inspect.js';
export { type ArchiveLimits, DEFAULT_ARCHIVE_LIMITS } from './limits.js';
export { readZipMember, visitZipFiles } from './read-member.js';
