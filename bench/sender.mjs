/** Sends a file as multipart/form-data and prints how many seconds it took until the answer was there. */
import { createReadStream, statSync } from 'node:fs';
import { request } from 'node:http';

const [, , url, file, authorization] = process.argv;
const head =
  '--b\r\nContent-Disposition: form-data; name="file"; filename="big.zip"\r\nContent-Type: application/zip\r\n\r\n';
const tail = '\r\n--b--\r\n';
const started = performance.now();
const outgoing = request(url, {
  method: 'POST',
  headers: {
    Authorization: authorization,
    'Content-Type': 'multipart/form-data; boundary=b',
    'Content-Length': head.length + statSync(file).size + tail.length,
  },
});
outgoing.on('response', (response) => {
  let text = '';
  response.setEncoding('utf8').on('data', (some) => {
    text += some;
  });
  response.on('end', () => {
    process.stdout.write(String((performance.now() - started) / 1000));
    if (response.statusCode !== 200) process.stderr.write(`${response.statusCode} ${text}\n`);
    process.exitCode = response.statusCode === 200 ? 0 : 1;
  });
});
outgoing.write(head);
createReadStream(file, { highWaterMark: 256 * 1024 })
  .on('end', () => outgoing.end(tail))
  .pipe(outgoing, { end: false });
