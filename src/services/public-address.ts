import { BlockList, isIP } from 'node:net';

/** What is not on the public Internet (RFC 6890 and its registries). */
const PRIVATE_IPV4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

/** Within 2000::/3, outside of which nothing is public: tunnels that carry any IPv4 address, documentation, benchmarks. */
const PRIVATE_IPV6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

const REFUSED = new BlockList();
for (const [net, prefix] of PRIVATE_IPV4) REFUSED.addSubnet(net, prefix, 'ipv4');
for (const [net, prefix] of PRIVATE_IPV6) REFUSED.addSubnet(net, prefix, 'ipv6');

const GLOBAL_IPV6 = new BlockList();
GLOBAL_IPV6.addSubnet('2000::', 3, 'ipv6');

/**
 * Whether an address may be reached in the name of a client: loopback, private, link-local, shared (CGNAT), multicast, reserved ones
 * and IPv4 addresses in IPv6 clothes are not public. `address` is an IP address as Node writes it; anything else is not public either.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !REFUSED.check(address, 'ipv4');
    case 6:
      return GLOBAL_IPV6.check(address, 'ipv6') && !REFUSED.check(address, 'ipv6');
    default:
      return false;
  }
}
