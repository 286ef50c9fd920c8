import { describe, expect, it } from 'vitest';
import { ConfigurationError, type Fault } from '../../../infra/config/load.ts';
import { configurationOf, SMALLEST } from '../../support/configuration.ts';

const CANARY = { schedule: 'rate(5 minutes)', polyai: 'support' };

/** A configuration with a canary, and with these settings instead of its own. */
const withCanary = (canary: unknown, others: object = {}) => ({ ...SMALLEST, stack: { canary }, ...others });

function faultsOf(content: unknown): Fault[] {
  try {
    configurationOf(content);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
}

const bus = {
  crm: 'genesys-eventbridge',
  polyai: 'support',
  bus: 'aws.partner/genesys.com/cloud/1/2',
  lookUp: 'sharedId',
};

describe('stack.canary', () => {
  it.each(['rate(1 minute)', 'rate(5 minutes)', 'rate(24 hours)', 'rate(1 day)'])(
    'may run at %s',
    (schedule) => {
      expect(configurationOf(withCanary({ ...CANARY, schedule })).stack.canary).toEqual({
        ...CANARY,
        schedule,
      });
    },
  );

  it('is off by default, and its connection is not one of the configuration’s', () => {
    expect(configurationOf(SMALLEST).stack).not.toHaveProperty('canary');
    expect(Object.keys(configurationOf(withCanary(CANARY)).connections)).toEqual(['zendesk-support']);
  });

  it.each([
    ['schedule', undefined, 'is missing', 'rate(5 minutes)'],
    ['schedule', 'cron(0 3 * * ? *)', 'is not rate(…)', 'rate(5 minutes)'],
    ['schedule', 'rate(0 minutes)', 'is not rate(…)', 'rate(5 minutes)'],
    ['schedule', 'rate(25 hours)', 'runs less often than once in 1d', 'of at most 1d'],
    ['polyai', undefined, 'is missing', 'Name a project'],
    ['polyai', 'suport', 'is "suport", but no project has that name', 'Did you mean "support"?'],
    ['timezone', 'UTC', 'is not a known key', 'schedule, polyai'],
  ])('is refused with %s %j', (key, value, problem, fix) => {
    expect(faultsOf(withCanary({ ...CANARY, [key]: value }))).toEqual([
      {
        path: `stack.canary.${key}`,
        problem: expect.stringContaining(problem),
        fix: expect.stringContaining(fix),
      },
    ]);
  });

  it('is refused where every connection is on a bus, because there is no address', () => {
    expect(faultsOf(withCanary(CANARY, { connections: { genesys: bus } }))).toEqual([
      {
        path: 'stack.canary',
        problem: 'has no address to send to, because every connection is on an event bus',
        fix: 'Remove it',
      },
    ]);
    const mixed = { ...SMALLEST.connections, genesys: bus };
    expect(faultsOf(withCanary(CANARY, { connections: mixed }))).toEqual([]);
  });
});

describe('the name of the canary’s connection', () => {
  const connections = { canary: SMALLEST.connections['zendesk-support'] };

  it.each([
    ['with a canary', withCanary(CANARY, { connections })],
    ['without one', { ...SMALLEST, connections }],
  ])('is reserved %s', (_, content) => {
    expect(faultsOf(content)).toEqual([
      {
        path: 'connections.canary',
        problem: 'has a reserved name: the connection of stack.canary has it',
        fix: 'Choose another name',
      },
    ]);
  });

  it('may be the name of a project', () => {
    const polyai = { canary: SMALLEST.polyai.support };
    const tickets = { crm: 'zendesk', polyai: 'canary' };
    expect(faultsOf({ polyai, connections: { tickets } })).toEqual([]);
  });
});

describe('the secret of the canary’s connection', () => {
  it('cannot be the secret of another connection', () => {
    const existingSecret = 'polyai-chat-closer/connections/canary/secret';
    const own = { ...SMALLEST.connections['zendesk-support'], existingSecret };
    expect(faultsOf(withCanary(CANARY, { connections: { own } }))).toEqual([
      {
        path: 'connections.own.existingSecret',
        problem: 'is the secret of connections.canary, which this stack makes',
        fix: 'Store a separate secret and name that one',
      },
    ]);
  });
});
