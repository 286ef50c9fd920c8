import type { Line } from '../../functions/line.ts';
import { lineText } from '../../functions/log.ts';
import type { GivenSeries } from '../signals/collect-metrics.ts';
import type { LogLine } from '../signals/emf.ts';
import type { Clock } from '../soak/clock.ts';
import type { Pool } from '../soak/lambda.ts';
import type { Queue } from '../soak/sqs-model.ts';
import type { Synthesised } from './synthesised.ts';

const MINUTE = 60_000;

export type Account = ReturnType<typeof createAccount>;

/** What AWS itself keeps: log groups, and the figures of its own services. */
export function createAccount(clock: Clock, synthesised: Synthesised) {
  const lines: LogLine[] = [];
  const series: GivenSeries[] = [];

  function measure(
    namespace: string,
    name: string,
    dimensions: Record<string, string>,
    value: number,
    at = clock.now(),
  ): void {
    series.push({ namespace, name, dimensions, points: [[at, value]] });
  }

  return {
    lines,
    series,
    measure,
    /** @returns the log of a function, which writes lines as the function's own log does */
    logOf(name: string): (line: Line) => void {
      const { logGroup, service } = synthesised.functionOf(name);
      return (line) => lines.push({ at: clock.now(), logGroup, text: lineText(line, service) });
    },
    writeAccess(values: Record<string, string>): void {
      const { logGroup, write } = synthesised.accessLog;
      lines.push({ at: clock.now(), logGroup, text: write(values) });
    },
    /** Counts the invocations of a function that fail. */
    watch<Event, Result>(name: string, pool: Pool<Event, Result>): Pool<Event, Result> {
      const { id } = synthesised.functionOf(name);
      return {
        ...pool,
        async invoke(event, cut) {
          const outcome = await pool.invoke(event, cut);
          if ('failed' in outcome) measure('AWS/Lambda', 'Errors', { FunctionName: id }, 1);
          return outcome;
        },
      };
    },
    /** Measures a queue once a minute, as SQS does, until a time. @param name as in `Closes` */
    measureQueue(name: string, queue: Queue, until: number): void {
      const dimensions = { QueueName: synthesised.idOf('AWS::SQS::Queue', name) };
      const put = (metric: string, value: number) =>
        measure('AWS/SQS', metric, dimensions, value, clock.now() - 1);
      let received = 0;
      let filledSince: number | undefined;
      queue.on('received', () => {
        received += 1;
      });
      const sample = () => {
        const { visible, inFlight } = queue.counts();
        put('ApproximateNumberOfMessagesVisible', visible);
        put('ApproximateNumberOfMessagesNotVisible', inFlight);
        put('NumberOfMessagesReceived', received);
        received = 0;
        filledSince = visible + inFlight > 0 ? (filledSince ?? clock.now()) : undefined;
        if (filledSince !== undefined) {
          put('ApproximateAgeOfOldestMessage', (clock.now() - filledSince) / 1000);
        }
        if (clock.now() < until) clock.at(clock.now() + MINUTE, sample);
      };
      clock.at(clock.now() + MINUTE, sample);
    },
  };
}
