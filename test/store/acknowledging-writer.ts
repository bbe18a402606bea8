import { openStore } from '../../src/store/open.js';
import { application, operation } from '../contract/store/rows.js';

// Writes until it is killed; a line on stdout acknowledges what is stored.
const store = await openStore({ url: process.argv[2] ?? '' });
for (;;) {
  const { appId } = await store.applications.create(application());
  const { operation: stored } = await store.operations.enqueue(operation([], { appId }));
  process.stdout.write(`${appId} ${stored.taskId}\n`);
}
