/** The same with Express as it comes: one route, no authentication, nothing looked up. */
import { readFileSync } from 'node:fs';
import express from 'express';

const body = readFileSync(process.argv[2]);
const app = express();
app.all('/*path', (_request, response) => {
  response.type('application/xml').send(body);
});
const server = app.listen(0, '127.0.0.1', () => process.stdout.write(`port ${server.address().port}\n`));
