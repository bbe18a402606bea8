import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { XML_TYPE } from '../api/media.js';
import { Fault } from '../domain/errors.js';
import { errorRecord, errorShape } from '../representations/message.js';
import { writeXml } from '../representations/xml.js';
import type { Log } from './options.js';
import { SECURITY_HEADERS } from './security-headers.js';

/**
 * Answers what Node's HTTP parser refuses, for a server's `clientError`: nothing of it ever becomes a request. The text is fixed; what
 * was sent is echoed to nobody.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex, log: Log): void {
  // Node's own note of the answer under way on this connection; half of one must not be followed by another.
  const answering = (socket as Duplex & { _httpMessage?: ServerResponse | null })._httpMessage;
  if (!socket.writable || error.code === 'ECONNRESET' || answering?.headersSent) {
    socket.destroy();
    return;
  }
  const requestId = randomUUID();
  const fault = faultOf(error.code);
  log.debug({ requestId, code: error.code, status: fault.status }, 'A request could not be read');
  const body = writeXml(errorShape, errorRecord(fault, requestId));
  const headers = {
    ...SECURITY_HEADERS,
    'Content-Type': XML_TYPE,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${fault.status} ${STATUS_CODES[fault.status]}\r\n${lines.join('')}\r\n${body}`);
}

function faultOf(code: string | undefined): Fault {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Fault('HeadersTooLarge', 'The headers of the request are too large.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Fault('PayloadTooLarge', 'The extensions of the chunks of the request are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Fault('RequestTimeout', 'The request did not arrive in time; send it again.');
    default:
      return new Fault('InvalidValue', 'This is no request of HTTP/1.1.');
  }
}
