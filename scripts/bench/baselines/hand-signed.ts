import { createHash, createHmac } from 'node:crypto';
import { Agent, request } from 'node:https';
import { createReceiver } from './zendesk.ts';

// The floor: signs its two calls by hand, with Node's own modules and nothing else.

const agent = new Agent({ keepAlive: true });
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
function sign(service: string, target: string, host: string, body: string): Record<string, string> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = process.env;
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const day = date.slice(0, 8);
  const headers: Record<string, string> = {
    'content-type': `application/x-amz-json-${service === 'sqs' ? '1.0' : '1.1'}`,
    host,
    'x-amz-date': date,
    'x-amz-target': target,
  };
  const names = Object.keys(headers).join(';');
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${sha256(body)}`;
  const scope = `${day}/${AWS_REGION}/${service}/aws4_request`;
  const parts = [day, AWS_REGION ?? '', service, 'aws4_request'];
  const key = parts.reduce<string | Buffer>(hmac, `AWS4${AWS_SECRET_ACCESS_KEY}`);
  const signature = hmac(
    Buffer.from(key),
    `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`,
  ).toString('hex');
  return {
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    authorization: `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function call(url: URL, service: string, target: string, input: object): Promise<string> {
  const body = JSON.stringify(input);
  const headers = sign(service, target, url.host, body);
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', host: url.hostname, port: url.port, agent, headers };
    request(options, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(answer) : reject(new Error(`${response.statusCode}`)),
      );
    })
      .on('error', reject)
      .end(body);
  });
}

export const handler = createReceiver({
  async readSecret(SecretId) {
    const url = new URL(process.env.AWS_ENDPOINT_URL ?? '');
    return JSON.parse(await call(url, 'secretsmanager', 'secretsmanager.GetSecretValue', { SecretId }))
      .SecretString;
  },
  async send(QueueUrl, MessageBody) {
    const Entries = [{ Id: '0', MessageBody }];
    await call(new URL(QueueUrl), 'sqs', 'AmazonSQS.SendMessageBatch', { QueueUrl, Entries });
  },
});
