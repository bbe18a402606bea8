import { actions } from '../action.js';

const everyone = ['user', 'admin'] as const;

export const taskActions = actions({
  findTasks: {
    method: 'GET',
    path: '/task',
    roles: everyone,
    query: {
      pageSize: { type: 'integer', help: 'Rows of a page; without it the list is whole.' },
      page: { type: 'integer', help: 'Number of the page, from 1.' },
    },
    response: 'tasks',
    links: [
      { rel: 'down', on: 'service' },
      { rel: 'up', on: 'task' },
    ],
    summary: 'Lists the tasks, newest first.',
  },
  getTask: {
    method: 'GET',
    path: '/task/{taskId}',
    roles: everyone,
    response: 'task',
    summary: 'Describes a task: its steps, progress and error.',
  },
  cancelTask: {
    method: 'POST',
    path: '/task/{taskId}/action/cancel',
    roles: everyone,
    response: 'task',
    links: [{ rel: 'cancel', on: 'task', when: 'running' }],
    summary: 'Cancels a task; what a half-done deploy made is undone.',
  },
});
