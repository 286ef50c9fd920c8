import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../../operate/error.ts';
import { BENCH_FOLDER } from './runtime-client.ts';

export type Certificate = { key: Buffer; cert: Buffer; certFile: string };

/**
 * A certificate for localhost, made once. The stand-in for AWS speaks TLS, because a large part of a cold start is the
 * first connection.
 *
 * @throws {OperatorError} without openssl
 */
export function localCertificate(): Certificate {
  const folder = join(BENCH_FOLDER, 'tls');
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  if (!existsSync(certFile)) {
    mkdirSync(folder, { recursive: true });
    const { status } = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '3650', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
      ...['-keyout', keyFile, '-out', certFile],
    ]);
    if (status !== 0) throw new OperatorError('openssl could not make a certificate. Install openssl.', 1);
  }
  return { key: readFileSync(keyFile), cert: readFileSync(certFile), certFile };
}
