import type { Message } from './message.ts';
import type { Random } from './random.ts';

// Which message a queue delivers next. AWS documents two thresholds and calls both approximate; the model applies them
// exactly. A message without a group is a tenant of its own, and so never a noisy one.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html

const NOISY_SHARE = 0.1;
const NOISY_IN_FLIGHT = 30;
/** AWS says "recent". Here a tenant's processing time counts half after this time. */
const HALF_LIFE_MS = 60_000;

type Tenant = {
  visible: Bag<Message>;
  inFlight: number;
  /** Milliseconds of processing, as of `at`. */
  work: number;
  at: number;
};

type Bag<T> = ReturnType<typeof createBag<T>>;

/** The visible messages of a queue and who has how many in flight. */
export function createTenants({ now }: { now(): number }, random: Random) {
  const tenants = new Map<string, Tenant>();
  const ungrouped = createTenant(random);
  let visible = 0;
  let inFlight = 0;

  function tenantOf({ group }: Message): Tenant {
    if (group === undefined) return ungrouped;
    const known = tenants.get(group);
    if (known) return known;
    const tenant = createTenant(random);
    tenants.set(group, tenant);
    return tenant;
  }

  function workOf(tenant: Tenant): number {
    return tenant.work * 0.5 ** ((now() - tenant.at) / HALF_LIFE_MS);
  }

  function addWork(tenant: Tenant, ms: number): void {
    tenant.work = workOf(tenant) + ms;
    tenant.at = now();
  }

  function isNoisy(tenant: Tenant, allWork: number): boolean {
    if (tenant === ungrouped) return false;
    const isBusy = tenant.inFlight >= NOISY_IN_FLIGHT && tenant.inFlight > NOISY_SHARE * inFlight;
    return isBusy || workOf(tenant) > NOISY_SHARE * allWork;
  }

  /** Any tenant with a message, if only that one has some; else a quiet one; else the noisy one with least in flight. */
  function nextTenant(): Tenant | undefined {
    const waiting = [ungrouped, ...tenants.values()].filter((each) => each.visible.size() > 0);
    if (waiting.length < 2) return waiting[0];
    const allWork = [ungrouped, ...tenants.values()].reduce((sum, each) => sum + workOf(each), 0);
    const quiet = waiting.filter((each) => !isNoisy(each, allWork));
    if (quiet.length > 0) return pickBySize(quiet, random);
    return waiting.reduce((least, each) => (each.inFlight < least.inFlight ? each : least));
  }

  return {
    visible: () => visible,
    inFlight: () => inFlight,
    show(message: Message): void {
      visible += 1;
      tenantOf(message).visible.add(message);
    },
    hide(message: Message): void {
      visible -= 1;
      tenantOf(message).visible.remove(message);
    },
    /** A message is in flight. */
    hold(message: Message): void {
      inFlight += 1;
      tenantOf(message).inFlight += 1;
    },
    /** A message is no longer in flight. */
    release(message: Message): void {
      inFlight -= 1;
      const tenant = tenantOf(message);
      tenant.inFlight -= 1;
      addWork(tenant, now() - message.receivedAt);
    },
    /** Removes and returns the next visible message. */
    take(): Message | undefined {
      const message = nextTenant()?.visible.take();
      if (message) visible -= 1;
      return message;
    },
  };
}

function createTenant(random: Random): Tenant {
  return { visible: createBag<Message>(random), inFlight: 0, work: 0, at: 0 };
}

function pickBySize(tenants: Tenant[], random: Random): Tenant | undefined {
  let index = random.index(tenants.reduce((sum, { visible }) => sum + visible.size(), 0));
  return tenants.find(({ visible }) => {
    index -= visible.size();
    return index < 0;
  });
}

/** A collection without an order: a standard queue keeps none. */
function createBag<T>(random: Random) {
  const items: T[] = [];
  const removeAt = (index: number) => {
    const last = items.pop();
    if (last !== undefined && index < items.length) items[index] = last;
  };
  return {
    size: () => items.length,
    add: (item: T) => items.push(item),
    /** Removes and returns any item. */
    take(): T | undefined {
      const index = random.index(items.length);
      const item = items[index];
      removeAt(index);
      return item;
    },
    remove: (item: T) => removeAt(items.indexOf(item)),
  };
}
