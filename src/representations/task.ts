import { FAULT_STATUS } from '../domain/errors.js';
import type { Step, Task } from '../domain/model.js';
import { links } from './link.js';
import { attribute, content, element, elements, oneOf, required, type Shape, type WireRecord } from './shape.js';
import { defined, type Rows, some, type Thing } from './thing.js';

const TASK_STATES = ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'];

const stepShape: Shape = {
  name: 'step',
  fields: [
    attribute('name', 'string', required),
    attribute('state', 'string', oneOf(['RUNNING', 'DONE', 'FAILED'])),
    attribute('progress', 'integer'),
    attribute('startTime', 'string', required),
    attribute('endTime'),
    content('text'),
  ],
};

const taskErrorShape: Shape = {
  name: 'error',
  fields: [attribute('value', 'string', required), attribute('code', 'string', oneOf(Object.keys(FAULT_STATUS)))],
};

const taskShape: Shape = {
  name: 'task',
  fields: [
    attribute('taskId', 'integer', required),
    attribute('action', 'string', required),
    attribute('status', 'string', oneOf(TASK_STATES)),
    attribute('progress', 'integer', required),
    attribute('startTime'),
    attribute('endTime'),
    attribute('createdAt', 'string', required),
    attribute('user', 'string', required),
    attribute('appId', 'integer'),
    attribute('versionId', 'integer'),
    attribute('instanceId', 'integer'),
    attribute('envId', 'integer'),
    elements('step', 'steps', stepShape),
    element('error', taskErrorShape),
    links,
  ],
};

export const taskThing: Thing<Task> = {
  shape: taskShape,
  record: (task, { links }) =>
    defined({
      taskId: task.taskId,
      action: task.action,
      status: task.state,
      progress: Math.round(task.progress),
      startTime: task.startedAt,
      endTime: task.endedAt,
      createdAt: task.createdAt,
      user: task.createdBy,
      appId: task.appId,
      versionId: task.versionId,
      instanceId: task.instanceId,
      envId: task.envId,
      steps: some(task.steps.map(stepRecord)),
      error: task.error && { value: task.error.message, code: task.error.code },
      links: some(links),
    }),
};

function stepRecord(step: Step): WireRecord {
  return defined({
    name: step.name,
    state: step.state,
    progress: step.progress === undefined ? undefined : Math.round(step.progress),
    startTime: step.startedAt,
    endTime: step.endedAt,
    text: step.text || undefined,
  });
}

export const taskRows: Rows<Task> = {
  list: {
    name: 'tasks',
    row: {
      name: 'task',
      fields: [
        element('id', 'integer', required),
        element('name', 'string', required),
        element('uri', 'string', required),
        element('status', 'string', oneOf(TASK_STATES)),
        element('progress', 'integer', required),
        element('createdAt', 'string', required),
        element('user', 'string', required),
        element('endTime'),
        links,
      ],
    },
  },
  record: (task, { self, links }) =>
    defined({
      id: task.taskId,
      name: task.action,
      uri: self,
      status: task.state,
      progress: Math.round(task.progress),
      createdAt: task.createdAt,
      user: task.createdBy,
      endTime: task.endedAt,
      links: some(links),
    }),
};
