/** What the ConPaaS system needs of a logger (pino's form). No secret goes in. */
export interface ConpaasLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
