/** An address of this machine, as an emulator of AWS has it. */
const LOOPBACK = /^https?:\/\/(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/**
 * The address at which this machine reaches a webhook. On AWS it is the address itself. An emulator gives its APIs host
 * names below `localhost` that Node cannot resolve, and has another path to the same API.
 *
 * @param url `<WebhooksUrl>/<connection>`
 */
export function reachableUrl(
  url: string,
  { AWS_ENDPOINT_URL = '' }: NodeJS.ProcessEnv = process.env,
): string {
  const endpoint = AWS_ENDPOINT_URL.replace(/\/+$/, '');
  if (!LOOPBACK.test(endpoint)) return url;
  const { hostname, pathname } = new URL(url);
  return `${endpoint}/_aws/execute-api/${hostname.split('.')[0]}/$default${pathname}`;
}
