import { beforeAll, describe, expect, it } from 'vitest';
import { type SampleLines, sampleLines } from '../../../scripts/cost/lines.ts';
import { countMetrics } from '../../../scripts/cost/metrics.ts';
import type { Template } from '../../signals/template.ts';
import { configurationOf, SMALLEST } from '../../support/configuration.ts';

const { support } = SMALLEST.polyai;
const CONFIGURATION = configurationOf({
  polyai: { support, other: { ...support, cleanup: { schedule: 'rate(1 hour)', channels: ['CHAT'] } } },
  connections: { one: { crm: 'zendesk', polyai: 'support' }, two: { crm: 'zendesk', polyai: 'other' } },
});

let samples: SampleLines;
beforeAll(async () => {
  samples = await sampleLines();
});

type FilterParts = { log: string; pattern: string; by: string[]; name?: string };

function filter({ log, pattern, by, name = 'Metric' }: FilterParts) {
  return {
    Type: 'AWS::Logs::MetricFilter',
    Properties: {
      LogGroupName: { Ref: `${log}Log` },
      FilterPattern: pattern,
      MetricTransformations: [
        {
          MetricNamespace: 'PolyAIChatCloser',
          MetricName: name,
          MetricValue: '1',
          ...(by.length > 0 && { Dimensions: by.map((field) => ({ Key: field, Value: `$.${field}` })) }),
        },
      ],
    },
  };
}

const functionWithLog = (name: string) => ({
  Type: 'AWS::Lambda::Function',
  Properties: { LoggingConfig: { LogGroup: { Ref: `${name}Log` } } },
});

/** Counts the metrics of a stack with two connections, two projects and these filters. */
function count(...filters: FilterParts[]) {
  const names = ['Receive', 'Close', 'Cleanup', 'Canary'];
  const resources: Template['Resources'] = {
    ...Object.fromEntries(names.map((name) => [`${name}Log`, { Type: 'AWS::Logs::LogGroup' }])),
    ...Object.fromEntries(names.map((name) => [`${name}Function1A`, functionWithLog(name)])),
    ...Object.fromEntries(filters.map((each, index) => [`Filter${index}`, filter(each)])),
  };
  return countMetrics(
    { configuration: CONFIGURATION, template: { Resources: resources }, series: 99 },
    samples,
  );
}

describe('the number of metrics in a usual month', () => {
  const delivery = { log: 'Receive', pattern: '{ ($.type = "delivery") && ($.canary NOT EXISTS) }' };
  const close = { log: 'Close', pattern: '{ ($.type = "close") && ($.canary NOT EXISTS) }' };
  const usual = (...filters: FilterParts[]) => count(...filters).usual;

  it('is that of the different values of the dimensions', () => {
    // Two connections: accepted and ignored. Two projects: closed, already ended and unavailable.
    expect(usual({ ...delivery, by: ['service', 'connection', 'result'] })).toBe(2 * 2);
    expect(usual({ ...close, by: ['service', 'project', 'outcome'] })).toBe(2 * 3);
  });

  it('counts a metric once that several filters feed', () => {
    const by = ['service'];
    expect(usual({ ...delivery, by }, { ...close, by })).toBe(1);
    expect(usual({ ...delivery, by }, { ...close, by, name: 'Other' })).toBe(2);
  });

  it('has only metrics with lines', () => {
    expect(usual({ log: 'Close', pattern: '{ $.type = "fault" }', by: ['service'] })).toBe(0);
  });

  it('has only the projects with a cleanup for its runs and its closes', () => {
    const by = ['service', 'project'];
    expect(usual({ log: 'Cleanup', pattern: '{ $.type = "cleanup" }', by })).toBe(1);
    expect(usual({ log: 'Close', pattern: '{ $.source = "cleanup" }', by })).toBe(1);
  });

  it("has the canary's metrics, from its own lines and from those of its closes", () => {
    const own = { log: 'Canary', pattern: '{ $.type = "canary" }', by: ['service'], name: 'A' };
    const closes = { log: 'Close', pattern: '{ $.canary IS TRUE }', by: ['service'], name: 'B' };
    expect(usual(own, closes)).toBe(2);
  });

  it('is refused for lines of which there is no sample and whose metrics have dimensions', () => {
    const filter = { log: 'Canary', pattern: '{ $.type = "canary" }', by: ['service', 'hop'] };
    expect(() => count(filter)).toThrow('no sample of these lines');
  });
});

describe('the sample lines', () => {
  it('are those of the handlers, each of its kind', () => {
    const read = (kind: keyof SampleLines) => JSON.parse(samples[kind]);
    expect(read('accepted')).toMatchObject({ type: 'delivery', result: 'accepted', answer: 200 });
    expect(read('ignored')).toMatchObject({ type: 'delivery', result: 'ignored', answer: 200 });
    expect(read('refused')).toMatchObject({ type: 'delivery', refused: 'signature_mismatch' });
    expect(read('acceptedEvent')).toMatchObject({ type: 'delivery', result: 'accepted' });
    expect(read('ignoredEvent')).toMatchObject({ type: 'delivery', result: 'ignored' });
    expect(read('closed')).toMatchObject({ type: 'close', outcome: 'closed' });
    expect(read('alreadyEnded')).toMatchObject({ type: 'close', outcome: 'already_ended' });
    expect(read('waiting')).toMatchObject({ type: 'close', outcome: 'unavailable', result: 'waiting' });
    expect(read('run')).toMatchObject({ type: 'cleanup', complete: true });
  });

  it('have the service and are the same at every measurement', async () => {
    for (const text of Object.values(samples)) expect(JSON.parse(text).service).toBe('polyai-chat-closer');
    expect(await sampleLines()).toEqual(samples);
  });
});
