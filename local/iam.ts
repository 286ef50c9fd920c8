import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { LocalRunError } from './isolation.ts';

// MiniStack with IAM enforced, as on AWS: every function has its role's permissions and no others, and queues
// refuse plain HTTP. It therefore needs TLS, which everything here must trust.

/**
 * Makes a certificate for this machine, which this process and every Node program under it will trust.
 *
 * @param folder for the certificate and its key
 * @returns MiniStack's settings
 * @throws {LocalRunError} where there is no openssl
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
    throw new LocalRunError(`openssl made no certificate: ${(error as Error).message}. Install openssl.`);
  }
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificate, 'utf8')]);
  process.env.NODE_EXTRA_CA_CERTS = certificate;
  return { AUTH: 'true', USE_SSL: '1', MINISTACK_SSL_CERT: certificate, MINISTACK_SSL_KEY: key };
}

type Statement = { Effect: string; Action: string | string[] };

/**
 * The one difference between MiniStack's IAM and AWS's that the stack meets: MiniStack authorises
 * SendMessageBatch by an action of that name, AWS by `sqs:SendMessage`. The synthesised template gets it wherever
 * it allows to send; the stack itself does not. (MiniStack's other difference, that `Ref` of a secret gives its
 * name, touches no policy: they name secrets by pattern.)
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
