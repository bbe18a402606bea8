import type { ServiceType } from '../../../domain/conpaas.js';
import type { Method } from '../method.js';
import { GET_AGENT_LOG } from './agent-log.js';
import {
  CODE_METHODS,
  ENABLE_CODE,
  GET_CONFIGURATION,
  GET_PHP_CONFIGURATION,
  UPDATE_JAVA_CONFIGURATION,
  UPDATE_PHP_CONFIGURATION,
} from './code.js';
import { COMMON_METHODS } from './common.js';
import { GENERIC_METHODS } from './generic.js';
import { HELLOWORLD_METHODS } from './helloworld.js';
import { MIGRATE_NODES } from './migration.js';
import { MYSQL_METHODS } from './mysql.js';
import { WEB_NODE_METHODS } from './nodes.js';
import { OUTPUT_METHODS } from './output.js';
import { GIT_METHODS, TUNING_METHODS } from './rare.js';
import { GENERIC_SETTINGS_METHODS, SETTINGS_METHODS } from './settings.js';
import { VOLUME_METHODS } from './volumes.js';

const WEB_METHODS: readonly Method[] = [
  ...COMMON_METHODS,
  ...WEB_NODE_METHODS,
  ...CODE_METHODS,
  ...SETTINGS_METHODS,
  ...OUTPUT_METHODS,
  ...GIT_METHODS,
  ...TUNING_METHODS,
  MIGRATE_NODES,
  ENABLE_CODE,
];

const METHODS: Partial<Record<ServiceType, readonly Method[]>> = {
  php: [...WEB_METHODS, UPDATE_PHP_CONFIGURATION, GET_PHP_CONFIGURATION],
  java: [...WEB_METHODS, UPDATE_JAVA_CONFIGURATION, GET_CONFIGURATION],
  nodejs: [...WEB_METHODS, GET_CONFIGURATION],
  python: [...WEB_METHODS, GET_CONFIGURATION],
  static: [...WEB_METHODS, GET_CONFIGURATION],
  generic: [
    ...COMMON_METHODS,
    ...CODE_METHODS,
    ...GENERIC_METHODS,
    ...VOLUME_METHODS,
    ...GENERIC_SETTINGS_METHODS,
    ...GIT_METHODS,
    GET_AGENT_LOG,
  ],
  mysql: [...COMMON_METHODS, ...MYSQL_METHODS, ...OUTPUT_METHODS],
  helloworld: [...COMMON_METHODS, ...HELLOWORLD_METHODS],
};

/** The methods of a type's managers; undefined: there is no manager for it. */
export function methodsOf(type: ServiceType): readonly Method[] | undefined {
  return METHODS[type];
}
