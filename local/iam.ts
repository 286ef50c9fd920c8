import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { LocalRunError } from './isolation.ts';

// MiniStack with IAM enforced, as on AWS: every function has only its role's permissions, and queues refuse plain
// HTTP. So it needs TLS, and everything here must trust its certificate.

/**
 * Makes a certificate for this machine. This process and every Node program that it starts will trust it.
 *
 * @param folder for the certificate and its key
 * @returns MiniStack's settings
 * @throws {LocalRunError} when openssl is missing
 */
export function enforceIam(folder: string): NodeJS.ProcessEnv {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  try {
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1'],
    ]);
  } catch (error) {
    throw new LocalRunError(
      `openssl could not make a certificate: ${(error as Error).message}. Install openssl.`,
    );
  }
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificate, 'utf8')]);
  process.env.NODE_EXTRA_CA_CERTS = certificate;
  return { AUTH: 'true', USE_SSL: '1', MINISTACK_SSL_CERT: certificate, MINISTACK_SSL_KEY: key };
}

type Statement = { Effect: string; Action: string | string[]; Resource?: unknown };

/** Calls that MiniStack authorises by another action than AWS does. */
const OTHER_ACTIONS: Record<string, string> = {
  'sqs:SendMessage': 'sqs:SendMessageBatch',
  'sqs:DeleteMessage': 'sqs:DeleteMessageBatch',
  'sqs:ChangeMessageVisibility': 'sqs:ChangeMessageVisibilityBatch',
  'lambda:GetFunctionConcurrency': 'lambda:PutFunctionConcurrency',
};

/** A statement of a person's policy as MiniStack understands it. */
export function bridgeStatement(statement: Statement): Statement {
  const actions = [statement.Action].flat();
  return { ...statement, Action: actions.flatMap((action) => [action, OTHER_ACTIONS[action] ?? []].flat()) };
}

/**
 * Bridges the one difference between MiniStack's IAM and AWS's that matters here: MiniStack authorises
 * SendMessageBatch by an action of that name, AWS by `sqs:SendMessage`. The action is added to the synthesised
 * template wherever sending is allowed, and never to the stack itself. (In MiniStack `Ref` of a secret also gives its
 * name. No policy is affected, because policies name secrets by pattern.)
 */
export function bridgeIam(templateFile: string): void {
  const template = JSON.parse(readFileSync(templateFile, 'utf8'), (key, value) => {
    if (key !== 'Statement' || !Array.isArray(value)) return value;
    return value.map((statement: Statement) => {
      const actions = [statement.Action].flat();
      if (statement.Effect !== 'Allow' || !actions.includes('sqs:SendMessage')) return statement;
      return { ...statement, Action: [...actions, 'sqs:SendMessageBatch'] };
    });
  });
  writeFileSync(templateFile, JSON.stringify(template));
}
