import type { IgnoredPart } from '../../functions/line.ts';
import type { LoggedLine } from '../lines.ts';

/** The ids that a line names, by what they are. */
export type LineIds = {
  conversations: string[];
  shared: string[];
  tickets: string[];
  requests: string[];
  deliveries: string[];
  correlations: string[];
};

/** Reads every id of a line of any type. The parts that a delivery ignored count too. */
export function idsOf(line: LoggedLine): LineIds {
  const parts = partsOf(line);
  return {
    conversations: texts(
      line.conversation_id,
      line.conversation_ids,
      ...parts.map((part) => part.conversation_id),
    ),
    shared: texts(line.shared_id, line.shared_ids, ...parts.map((part) => part.shared_id)),
    tickets: texts(line.crm_ref, ...parts.map((part) => part.crm_ref)),
    requests: texts(line.request_id),
    deliveries: texts(line.delivery_id),
    correlations: texts(line.polyai_correlation_id),
  };
}

/** Whether a line names the id, whatever kind of id it is. A part of another id does not count. */
export function names(line: LoggedLine, id: string): boolean {
  return Object.values(idsOf(line)).some((ids) => ids.includes(id));
}

/** The parts of a delivery that ask for no close. */
export function partsOf({ ignored }: LoggedLine): IgnoredPart[] {
  return Array.isArray(ignored) ? ignored : [];
}

/** Every text among the values and lists of values, once. */
function texts(...values: unknown[]): string[] {
  return [...new Set(values.flat().filter((value) => typeof value === 'string'))];
}
