import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, expect, it } from 'vitest';
import { regionOf, secretsManagerEndpoint } from '../../../functions/aws/endpoint.ts';

const REGIONS = [
  ...['us-east-1', 'eu-west-2', 'ap-southeast-7', 'mx-central-1', 'cn-north-1', 'cn-northwest-1'],
  ...['us-gov-west-1', 'us-gov-east-1', 'us-iso-east-1', 'us-iso-west-1', 'us-isob-east-1'],
  ...['eu-isoe-west-1', 'us-isof-south-1', 'us-isof-east-1', 'eusc-de-east-1', 'xx-unknown-1'],
];
const SWITCHES = [false, true].flatMap((fips) => [false, true].map((dualStack) => ({ fips, dualStack })));
// AWS has no FIPS endpoints in China, whatever the SDK makes of the names.
const exists = ({ region, fips }: { region: string; fips: boolean }) => !(fips && region.startsWith('cn-'));
const CASES = REGIONS.flatMap((region) => SWITCHES.map((switches) => ({ region, ...switches }))).filter(
  exists,
);

const flags = ({ fips, dualStack }: { fips: boolean; dualStack: boolean }) => ({
  ...(fips && { AWS_USE_FIPS_ENDPOINT: 'true' }),
  ...(dualStack && { AWS_USE_DUALSTACK_ENDPOINT: 'true' }),
});

/** The SDK's endpoint, or `refused`. */
function bySdk(parameters: { Region: string; UseFIPS: boolean; UseDualStack: boolean; Endpoint?: string }) {
  const client = new SecretsManagerClient({ region: 'us-east-1' });
  try {
    return client.config.endpointProvider(parameters, {}).url.href;
  } catch {
    return 'refused';
  }
}

function byUs(environment: Record<string, string>): string {
  try {
    return secretsManagerEndpoint(environment).href;
  } catch {
    return 'refused';
  }
}

describe('the endpoint of Secrets Manager', () => {
  it.each(CASES)('is the SDK’s in $region with FIPS $fips and dual stack $dualStack', (each) => {
    const parameters = { Region: each.region, UseFIPS: each.fips, UseDualStack: each.dualStack };
    expect(byUs({ AWS_REGION: each.region, ...flags(each) })).toBe(bySdk(parameters));
  });

  it.each(SWITCHES)('is the SDK’s with a custom endpoint, FIPS $fips and dual stack $dualStack', (each) => {
    const Endpoint = 'http://127.0.0.1:4566/path';
    const parameters = {
      Region: 'us-east-1',
      UseFIPS: each.fips,
      UseDualStack: each.dualStack,
      Endpoint,
    };
    const environment = { AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: Endpoint, ...flags(each) };
    expect(byUs(environment)).toBe(bySdk(parameters));
  });

  it('prefers the variable of the service, and ignores both where they are switched off', () => {
    const environment = {
      AWS_REGION: 'eu-west-2',
      AWS_ENDPOINT_URL: 'http://all.test',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://secrets.test',
    };
    expect(byUs(environment)).toBe('http://secrets.test/');
    expect(byUs({ ...environment, AWS_ENDPOINT_URL_SECRETS_MANAGER: '' })).toBe('http://all.test/');
    const ignored = { ...environment, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };
    expect(byUs(ignored)).toBe('https://secretsmanager.eu-west-2.amazonaws.com/');
  });

  it('refuses a switch that is neither true nor false, so that FIPS is never off by mistake', () => {
    const environment = { AWS_REGION: 'us-east-1', AWS_USE_FIPS_ENDPOINT: 'yes' };
    expect(() => secretsManagerEndpoint(environment)).toThrow('AWS_USE_FIPS_ENDPOINT must be true or false');
    expect(byUs({ ...environment, AWS_USE_FIPS_ENDPOINT: 'false' })).not.toBe('refused');
  });

  it('needs a region', () => {
    expect(() => regionOf({})).toThrow('AWS_REGION is missing');
  });
});
