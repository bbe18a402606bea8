import type { Target } from '../target.js';
import { ARCHIVES } from './archives.js';
import { DESCRIPTORS } from './descriptors.js';
import { MANAGER } from './json-rpc.js';
import { MULTIPART } from './multipart.js';
import { XML } from './xml.js';

export const TARGETS: readonly Target[] = [XML, DESCRIPTORS, MULTIPART, ARCHIVES, MANAGER];
