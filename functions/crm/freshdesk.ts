import { freshworks } from './freshworks.ts';

/**
 * Freshdesk: the action "Trigger webhook" of an automation rule.
 *
 * @see https://support.freshdesk.com/support/solutions/articles/132589-using-webhooks-in-automation-rules-that-run-on-ticket-updates
 */
export default freshworks('freshdesk_webhook');
