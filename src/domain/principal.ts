export const ROLES = ['user', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Who acts: the result of authentication. */
export interface Principal {
  /** User name. */
  name: string;
  role: Role;
  tenant: string;
}
