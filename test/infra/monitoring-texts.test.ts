import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../commands/list.ts';
import { CRMS } from '../../functions/crm/index.ts';
import { LINES } from '../../functions/line.ts';
import { DEFAULT_STACK } from '../../infra/config/load.ts';
import { METRICS } from '../../infra/metrics.ts';
import { QUERIES, type SavedQuery } from '../../infra/monitoring/queries.ts';
import { ROOT } from '../../infra/root.ts';
import { compileQuery } from '../signals/insights.ts';
import { SMALLEST } from '../support/configuration.ts';
import { EVERYTHING } from '../support/everything.ts';
import { createStack } from '../support/stack.ts';

const OPERATIONS = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
const SLUGS = [...OPERATIONS.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
  title.toLowerCase().replaceAll(' ', '-'),
);

const thresholds = { MissRateAlarm: 10 };
const withEverything = (stack: object = {}) =>
  Template.fromStack(
    createStack({
      ...EVERYTHING,
      stack: { alarms: { ...EVERYTHING.stack.alarms, thresholds }, ...stack },
      connections: {
        ...EVERYTHING.connections,
        desk: { crm: 'zendesk', polyai: 'support', silentAfter: '1d' },
      },
    }),
  );
const template = withEverything();
const smallest = Template.fromStack(createStack());

/** A value with its intrinsic functions replaced by short words. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const {
    'Fn::Join': joined,
    Ref,
    'Fn::GetAtt': attribute,
  } = value as {
    'Fn::Join'?: [string, unknown[]];
    Ref?: string;
    'Fn::GetAtt'?: string[];
  };
  return joined ? joined[1].map(textOf).join(joined[0]) : String(Ref ?? attribute);
}

function descriptions(of = template): [string, string][] {
  return Object.entries(of.findResources('AWS::CloudWatch::Alarm')).map(([id, { Properties }]) => [
    id,
    textOf(Properties.AlarmDescription),
  ]);
}

describe('the message of an alarm', () => {
  it.each(descriptions())('%s says what is affected, what recovers, a command and the runbook', (_, text) => {
    const [sentences = '', run = '', runbook = '', ...rest] = text.split('\n');
    // Two sentences.
    expect(sentences.match(/[^.]\.( |$)/g)).toHaveLength(2);
    expect(run).toMatch(/^Run: (npx --no chat-closer|aws) \S+/);
    expect(runbook).toMatch(/^Runbook: docs\/operations\.md#[\w-]+$/);
    expect(SLUGS).toContain(runbook.replace(/^.*#/, ''));
    expect(rest).toEqual([]);
  });

  it('names commands that exist, with the name of a stack that is not the usual one', () => {
    const commands = descriptions().flatMap(
      ([, text]) => /^Run: npx --no chat-closer (\S+)/m.exec(text)?.[1] ?? [],
    );
    expect(commands).toContain('status');
    expect(Object.keys(COMMANDS)).toEqual(expect.arrayContaining(commands));
    const renamed = Template.fromStack(createStack(SMALLEST, { name: 'closer-two' }));
    const lines = descriptions(renamed).map(([, text]) => text.split('\n')[1] ?? '');
    for (const line of lines.filter((each) => each.includes('chat-closer '))) {
      expect(line).toMatch(/ --stack closer-two$/);
    }
    const usual = Template.fromStack(createStack(SMALLEST, { name: DEFAULT_STACK }));
    expect(descriptions(usual).map(([, text]) => text)).not.toContainEqual(
      expect.stringContaining('--stack'),
    );
  });

  it('leads to an address where runbookUrl gives one', () => {
    const runbookUrl = 'https://wiki.example.com/chat-closer/operations';
    for (const [, text] of descriptions(withEverything({ runbookUrl }))) {
      expect(text).toMatch(/\nRunbook: https:\/\/wiki\.example\.com\/chat-closer\/operations#[\w-]+$/);
    }
  });

  it('leaves no room for a section of the runbook that no alarm leads to', () => {
    const linked = descriptions().map(([, text]) => text.replace(/^.*#/s, ''));
    const sections = OPERATIONS.split(/^## /m)
      .filter((section) => section.includes('**Resolved when:**'))
      .map((section) => section.split('\n')[0]?.toLowerCase().replaceAll(' ', '-'));
    // The canary is not in this stack.
    expect(new Set([...linked, 'canary'])).toEqual(new Set(sections));
  });

  it('is not longer than CloudWatch accepts, with the longest names', () => {
    const name = 'n'.repeat(64);
    const longest = createStack(
      {
        polyai: {
          [name]: { ...SMALLEST.polyai.support, cleanup: { schedule: 'rate(1 hour)', channels: ['CHAT'] } },
        },
        connections: { [name]: { crm: 'zendesk', polyai: name, silentAfter: '7d' } },
        stack: { alarms: { thresholds }, runbookUrl: `https://example.com/${'p'.repeat(200)}` },
      },
      { name: 's'.repeat(100) },
    );
    // CloudFormation's names of log groups and functions have at most so many characters.
    const generated = 'g'.repeat(150);
    for (const { Properties } of Object.values(
      Template.fromStack(longest).findResources('AWS::CloudWatch::Alarm'),
    )) {
      const text = JSON.parse(JSON.stringify(Properties.AlarmDescription), (_key, value) =>
        value?.Ref || value?.['Fn::GetAtt'] ? generated : value,
      );
      expect(textOf(text).length).toBeLessThanOrEqual(1024);
    }
  });
});

describe('every alarm', () => {
  it('tells the same topics when it starts and when it ends', () => {
    for (const { Properties } of Object.values(template.findResources('AWS::CloudWatch::Alarm'))) {
      expect(Properties.AlarmActions).toHaveLength(2);
      expect(Properties.OKActions).toEqual(Properties.AlarmActions);
    }
  });

  it('says what missing data means', () => {
    for (const { Properties } of Object.values(template.findResources('AWS::CloudWatch::Alarm'))) {
      expect(['notBreaching', 'breaching', 'ignore']).toContain(Properties.TreatMissingData);
    }
  });
});

/** The fields that lines have, with those that AWS adds. An array's items and an error's parts belong to the field. */
const FIELDS = new Set(['type', ...Object.values(LINES).flatMap((fields) => Object.keys(fields))]);
/** Fields of the access log, which API Gateway writes. */
const ACCESS = ['status', 'integrationStatus', 'lambdaStatus', 'latencyMs', 'errorType', 'error'];

function unknownFields(query: string): string[] {
  const { fields } = compileQuery(query);
  return fields.filter((field) => !field.startsWith('@') && !FIELDS.has(field.split('.')[0] ?? ''));
}

describe('a saved query', () => {
  it.each(Object.entries(QUERIES))('%s compiles and reads fields that lines have', (_, { query }) => {
    expect(unknownFields(query)).toEqual([]);
  });

  it('is saved in a folder with the stack’s name, for the log groups that the stack has', () => {
    const saved = (of: Template) =>
      Object.values(of.findResources('AWS::Logs::QueryDefinition')).map(({ Properties }) => Properties);
    expect(saved(template).map(({ Name }) => Name)).toEqual(
      Object.keys(QUERIES).map((name) => `closer/${name}`),
    );
    const trace = (of: Template) =>
      saved(of).find(({ Name }) => Name.includes('What happened'))?.LogGroupNames;
    expect(trace(template)).toHaveLength(3);
    expect(trace(smallest)).toHaveLength(2);
    // No cleanup, so no query for its runs.
    expect(saved(smallest).map(({ Name }) => Name)).not.toContain('closer/Cleanup runs');
  });

  it('is named in operations, and so is no other', () => {
    const [, table = ''] = OPERATIONS.split('| Saved query | Answers |');
    const named = [...(table.split('\n\n')[0] ?? '').matchAll(/^\| \*(.+?)\* \|/gm)].map(([, name]) => name);
    expect(named.sort()).toEqual(Object.keys(QUERIES).sort());
  });

  it('that a section names is saved', () => {
    const named = [...OPERATIONS.matchAll(/saved quer(?:y|ies) \*(.+?)\*(?: and \*(.+?)\*)?/g)].flatMap(
      ([, first, second]) => [first, second].filter((name) => name !== undefined),
    );
    expect(named.length).toBeGreaterThan(2);
    expect(Object.keys(QUERIES)).toEqual(expect.arrayContaining(named));
  });
});

describe('a query in operations', () => {
  const blocks = [...OPERATIONS.matchAll(/^```\n((?:fields|filter) [^`]+)```/gm)].map(([, text = '']) =>
    text.trim(),
  );

  it.each(blocks)('compiles and reads fields that lines have: %s', (query) => {
    expect(unknownFields(query).filter((field) => !ACCESS.includes(field))).toEqual([]);
  });

  it('was found', () => {
    expect(blocks.length).toBeGreaterThan(12);
  });
});

describe('the dashboard', () => {
  type Widget = {
    type: string;
    properties: {
      title?: string;
      markdown?: string;
      query?: string;
      metrics?: unknown[][];
      alarms?: string[];
    };
  };
  const widgets = (of: Template): Widget[] => {
    const [dashboard] = Object.values(of.findResources('AWS::CloudWatch::Dashboard'));
    return JSON.parse(textOf(dashboard?.Properties.DashboardBody)).widgets;
  };
  const questions = (of: Template) => widgets(of).flatMap(({ properties }) => properties.markdown ?? []);

  it('begins with whether it works, and has one row a question that the stack can answer', () => {
    expect(questions(template)).toEqual([
      '## Is it working?',
      '## Does each connection deliver?',
      '## Are the chats of each project closed, and how soon?',
      '## What does PolyAI answer?',
      '## Does the queue move?',
      '## Does the receiver answer within the time that each CRM allows?',
      '## Does the cleanup find chats that no delivery closed?',
      '## What costs money?',
    ]);
    expect(questions(smallest)).not.toContain('## Does the cleanup find chats that no delivery closed?');
  });

  it('searches for metrics that exist, with exactly their dimensions', () => {
    const expressions = JSON.stringify(widgets(template)).replaceAll('\\', '');
    const searches = [
      ...expressions.matchAll(
        /SEARCH\('\{PolyAIChatCloser,service(.*?)\} MetricName="(\w+)" service="closer"/g,
      ),
    ];
    expect(searches.length).toBeGreaterThan(15);
    expect(expressions.match(/SEARCH\(/g)).toHaveLength(searches.length);
    for (const [, by = '', name = ''] of searches) {
      const sets = (METRICS[name as keyof typeof METRICS]?.measures ?? []).map((each) =>
        ['', ...each.by].join(','),
      );
      expect(sets).toContain(by);
    }
  });

  it('shows the time that each CRM waits for an answer', () => {
    const graphs = JSON.stringify(widgets(template));
    expect(graphs).toContain(`"value":${CRMS.zendesk?.answerWithinMs},"label":"limit of zendesk`);
    expect(graphs).not.toContain('limit of genesys-eventbridge');
  });

  it('has queries that compile and read fields that lines have', () => {
    const queries = widgets(template).flatMap(({ properties }) => properties.query ?? []);
    expect(queries.length).toBeGreaterThan(4);
    for (const query of queries) expect(unknownFields(query)).toEqual([]);
  });

  it('does not grow with the number of connections, except for the list of alarms', () => {
    const connections = Object.fromEntries(
      Array.from({ length: 150 }, (_, n) => [`c-${n}`, { crm: 'zendesk', polyai: 'support' }]),
    );
    const many = widgets(Template.fromStack(createStack({ ...SMALLEST, connections })));
    expect(many).toHaveLength(widgets(smallest).length);
    expect(many.flatMap(({ properties }) => properties.alarms ?? [])).toHaveLength(100);
  });
});

describe('the logs of a saved query', () => {
  it.each(Object.entries<SavedQuery>(QUERIES))('%s are those that hold its lines', (_, { query, logs }) => {
    const [, type] = /type = "(\w+)"/.exec(query) ?? [];
    const holds = { delivery: ['receive', 'event'], close: ['close'], cleanup: ['cleanup'] } as Record<
      string,
      string[]
    >;
    if (type && holds[type]) expect(holds[type]).toEqual(expect.arrayContaining([...logs]));
  });
});
