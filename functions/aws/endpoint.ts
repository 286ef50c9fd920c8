type Environment = Record<string, string | undefined>;

/**
 * The suffixes of Secrets Manager's hosts, by the beginning of the region, as in the SDK. Outside of the isolated and
 * sovereign partitions the usual host has both stacks.
 */
const PARTITIONS: readonly { regions: RegExp; suffix: string; dualStack: string }[] = [
  { regions: /^cn-/, suffix: 'amazonaws.com.cn', dualStack: 'amazonaws.com.cn' },
  { regions: /^eusc-/, suffix: 'amazonaws.eu', dualStack: 'api.amazonwebservices.eu' },
  { regions: /^us-iso-/, suffix: 'c2s.ic.gov', dualStack: 'api.aws.ic.gov' },
  { regions: /^us-isob-/, suffix: 'sc2s.sgov.gov', dualStack: 'api.aws.scloud' },
  { regions: /^eu-isoe-/, suffix: 'cloud.adc-e.uk', dualStack: 'api.cloud-aws.adc-e.uk' },
  { regions: /^us-isof-/, suffix: 'csp.hci.ic.gov', dualStack: 'api.aws.hci.ic.gov' },
];
/** GovCloud has the commercial regions' suffix. */
const COMMERCIAL = { suffix: 'amazonaws.com', dualStack: 'amazonaws.com' };

/**
 * The address of Secrets Manager, as the SDK resolves it from Lambda's environment: `AWS_ENDPOINT_URL_SECRETS_MANAGER`,
 * `AWS_ENDPOINT_URL`, or the region's own, with `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT`.
 *
 * @throws {Error} when there is no region, or a variable contradicts another
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
export function secretsManagerEndpoint(environment: Environment): URL {
  const isFips = isOn(environment, 'AWS_USE_FIPS_ENDPOINT');
  const isDualStack = isOn(environment, 'AWS_USE_DUALSTACK_ENDPOINT');
  const configured = configuredEndpoint(environment, 'SECRETS_MANAGER');
  if (configured) {
    if (isFips) throw new Error('AWS_USE_FIPS_ENDPOINT and a custom endpoint are not supported together');
    if (isDualStack) {
      throw new Error('AWS_USE_DUALSTACK_ENDPOINT and a custom endpoint are not supported together');
    }
    return new URL(configured);
  }
  const region = regionOf(environment);
  const { suffix, dualStack } = PARTITIONS.find(({ regions }) => regions.test(region)) ?? COMMERCIAL;
  return new URL(
    `https://secretsmanager${isFips ? '-fips' : ''}.${region}.${isDualStack ? dualStack : suffix}`,
  );
}

/** @throws {Error} when Lambda, or whoever runs the function, has set no region */
export function regionOf({ AWS_REGION }: Environment): string {
  if (!AWS_REGION) throw new Error('AWS_REGION is missing');
  return AWS_REGION;
}

function configuredEndpoint(environment: Environment, service: string): string | undefined {
  if (isOn(environment, 'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS')) return undefined;
  return environment[`AWS_ENDPOINT_URL_${service}`] || environment.AWS_ENDPOINT_URL || undefined;
}

/** A value that is neither word must not silently turn FIPS off. */
function isOn(environment: Environment, name: string): boolean {
  const value = environment[name];
  if (value !== undefined && value !== 'true' && value !== 'false') {
    throw new Error(`${name} must be true or false`);
  }
  return value === 'true';
}
