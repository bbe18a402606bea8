import type { Handler } from './action.js';
import { applicationActions } from './actions/applications.js';
import { discoveryActions } from './actions/discovery.js';
import { environmentActions } from './actions/environments.js';
import { instanceActions } from './actions/instances.js';
import { taskActions } from './actions/tasks.js';
import { userActions } from './actions/users.js';
import { versionActions } from './actions/versions.js';

/** THE TABLE of actions (api.md §2): key = WADL method id, OpenAPI operationId, handler, CLI command, the log's `action`. */
export const TABLE = {
  ...applicationActions,
  ...versionActions,
  ...instanceActions,
  ...environmentActions,
  ...taskActions,
  ...userActions,
  ...discoveryActions,
} as const;

export type Table = typeof TABLE;
export type ActionKey = keyof Table;

/** Actions that the HTTP layer answers from the table itself. */
export type DocumentKey = keyof typeof discoveryActions;

/** One handler for every row: a missing one, a mistyped parameter or a wrong response does not compile. */
export type Handlers = { [K in Exclude<ActionKey, DocumentKey>]: Handler<Table[K]> };
