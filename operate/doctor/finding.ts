import type { Aws } from '../aws.ts';
import type { Deployment } from '../deployment.ts';
import type { Surroundings } from '../surroundings.ts';
import type { DoctorAws } from './aws.ts';

/** What a check found out. */
export type Finding = {
  /** The check's name. */
  check: string;
  level: 'ok' | 'warning' | 'fault';
  /** What it is about: a project, a connection, an alarm. */
  subject?: string;
  sentence: string;
  /** What to do; there for every warning and fault. */
  fix?: string;
};

/** What checks may use. */
export type Checked = {
  deployment: Deployment;
  /** Path of the configuration file, which may not exist. */
  file: string;
  /** Whether the worker may be asked to call PolyAI. */
  probe: boolean;
  aws: Aws & DoctorAws;
} & Pick<Surroundings, 'now' | 'progress' | 'signal' | 'sleep'>;

export type Check = (checked: Checked) => Promise<Finding[]>;

export const CLI = 'npx --no chat-closer';

/** A finding that says that all is well. */
export function ok(check: string, sentence: string, subject?: string): Finding {
  return { check, level: 'ok', ...(subject && { subject }), sentence };
}

export function warning(check: string, sentence: string, fix: string, subject?: string): Finding {
  return { check, level: 'warning', ...(subject && { subject }), sentence, fix };
}

export function fault(check: string, sentence: string, fix: string, subject?: string): Finding {
  return { check, level: 'fault', ...(subject && { subject }), sentence, fix };
}
