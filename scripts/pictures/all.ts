import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { checkConfiguration } from '../../infra/config/load.ts';
import { ChatCloserStack } from '../../infra/stack.ts';
import { soakOutage } from '../../test/soak/outage.ts';
import { benchPicture } from './bench.ts';
import { dashboardPicture } from './dashboard.ts';
import { outagePicture } from './outage.ts';

/** Few enough to be simulated in seconds. The picture has the shape of the large run. */
const CLOSES = 1000;

/** A configuration whose dashboard has every row. */
const WITH_EVERY_ROW = {
  stack: { canary: { schedule: 'rate(5 minutes)', polyai: 'support' } },
  polyai: {
    support: {
      region: 'uk-1',
      accountId: 'acme-uk',
      projectId: 'PROJECT-191bfa2a',
      cleanup: { schedule: 'rate(1 hour)', channels: ['CHAT'] },
    },
  },
  connections: { 'zendesk-support': { crm: 'zendesk', polyai: 'support' } },
};

/**
 * The pictures of the documentation that follow from a simulation, the template and the bench, by their paths.
 *
 * @param root the repository's folder
 */
export async function allPictures(root: string): Promise<Record<string, string>> {
  return {
    'docs/images/bench.svg': benchPicture(readFileSync(join(root, 'docs/performance.md'), 'utf8')),
    'docs/images/outage.svg': outagePicture(await soakOutage({ closes: CLOSES, seed: 7 })),
    'docs/images/dashboard.svg': dashboardPicture(dashboardBody()),
  };
}

/** The dashboard of a stack with every part. Its names and ARNs are of no interest here. */
function dashboardBody(): string {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] } });
  const configuration = checkConfiguration(WITH_EVERY_ROW, 'the picture’s configuration');
  const stack = new ChatCloserStack(app, 'closer', { configuration });
  const [dashboard] = Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'));
  const body = dashboard?.Properties.DashboardBody;
  return typeof body === 'string'
    ? body
    : body['Fn::Join'][1].map((part: unknown) => (typeof part === 'string' ? part : 'x')).join('');
}
