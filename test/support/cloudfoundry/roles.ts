import type { Documents } from './documents.js';
import type { Call } from './http.js';
import type { Org, Space, Thing, User } from './objects.js';
import type { World } from './world.js';

export interface Role extends Thing {
  user: User;
  org?: Org;
  space?: Space;
  type: string;
}

/** Who has a role in a space is also a user of its organisation. */
export function rolesOf(world: World, { query, user: caller }: Call): Role[] {
  const wanted = query.get('user_guids')?.split(',');
  const users = world.users.filter((one) => (wanted ? wanted.includes(one.guid) : one === caller));
  return users.flatMap((user) => {
    const spaces = world.spaces.filter((space) => user.roles.has(space.guid));
    const orgs = [...new Set(spaces.map(({ org }) => org))];
    return [
      ...orgs.map((org) => ({ ...world.thing(), user, org, type: 'organization_user' })),
      ...spaces.map((space) => ({ ...world.thing(), user, space, type: `space_${user.roles.get(space.guid)}` })),
    ];
  });
}

export function role(documents: Documents, { user, org, space, ...one }: Role) {
  return {
    ...documents.base(one),
    type: one.type,
    relationships: { user: { data: { guid: user.guid } }, organization: documents.to(org), space: documents.to(space) },
    links: {
      self: documents.url(`/v3/roles/${one.guid}`),
      user: documents.url(`/v3/users/${user.guid}`),
      ...(org ? { organization: documents.url(`/v3/organizations/${org.guid}`) } : {}),
      ...(space ? { space: documents.url(`/v3/spaces/${space.guid}`) } : {}),
    },
  };
}
