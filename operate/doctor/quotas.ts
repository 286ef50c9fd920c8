import { ListServiceQuotasCommand, type ServiceQuota } from '@aws-sdk/client-service-quotas';
import { type Check, ok, warning } from './finding.ts';

/** Whether the account lets API Gateway take as many requests as the stack allows. */
export const checkQuotas: Check = async ({ deployment, aws }) => {
  if (!deployment.outputs.WebhooksUrl) return [];
  const { ratePerSecond } = deployment.configuration.stack.throttle;
  const rate = (await throttleQuota(aws.serviceQuotas))?.Value;
  if (rate === undefined) return [ok('quotas', 'API Gateway’s quota was not checked: it is not known here.')];
  return [
    rate < ratePerSecond
      ? warning(
          'quotas',
          `The account’s API Gateway takes ${rate} requests a second, and stack.throttle allows ${ratePerSecond}.`,
          'Ask for a higher quota of API Gateway, or lower stack.throttle',
        )
      : ok('quotas', `The account’s API Gateway takes ${rate} requests a second.`),
  ];
};

/** Found by its name, which the console shows too. @see https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html */
async function throttleQuota(
  client: Parameters<Check>[0]['aws']['serviceQuotas'],
): Promise<ServiceQuota | undefined> {
  let NextToken: string | undefined;
  do {
    const page = await client.send(
      new ListServiceQuotasCommand({ ServiceCode: 'apigateway', ...(NextToken && { NextToken }) }),
    );
    const found = page.Quotas?.find(({ QuotaName = '' }) => /^throttle rate/i.test(QuotaName));
    if (found) return found;
    NextToken = page.NextToken;
  } while (NextToken);
  return undefined;
}
