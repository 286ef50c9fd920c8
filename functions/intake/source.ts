import { BlockList, isIPv4 } from 'node:net';

const lists = new WeakMap<readonly string[], BlockList>();

/** Whether an IP address is in one of the CIDR blocks. A block without a length contains no address. */
export function isAllowedSource(blocks: readonly string[], address: string): boolean {
  let list = lists.get(blocks);
  if (!list) {
    list = new BlockList();
    for (const block of blocks) {
      const [net = '', bits = ''] = block.split('/');
      // A missing length must not become the number 0, which would let everybody in.
      list.addSubnet(net, Number(bits || Number.NaN), family(net));
    }
    lists.set(blocks, list);
  }
  return list.check(address, family(address));
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
