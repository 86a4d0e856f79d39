import { CODE_HEADER, CONFIRM_HEADER } from '../../contract/index.ts';
import type { Actor } from './audit.ts';
import type { ConfirmedAct } from './confirmations.ts';
import type { Identity } from './identity.ts';
import { tryCode } from './login.ts';
import { Refusal } from './refusal.ts';

/** What the headers of a dangerous request say; undefined for a header that is not there. */
export interface ConfirmHeaders {
  readonly token: unknown;
  readonly code: unknown;
}

/**
 * Lets a dangerous act pass only with a confirmation that was given for exactly this request and, where the rules ask for it
 * and the user has a second factor, with a fresh code of it. Throws {@link Refusal} `confirmation-required` with a new
 * confirmation, which says `says`; or `forbidden` for a code that is missing or wrong: then the confirmation is used up.
 */
export function confirmAct(
  identity: Identity,
  act: ConfirmedAct,
  headers: ConfirmHeaders,
  actor: Actor,
  says: string,
): void {
  const user = identity.users.known(act.userId);
  const needsCode = user.secondFactor && identity.dangerNeedsCode;
  const { token, code } = headers;
  if (typeof token !== 'string' || !identity.confirmations.redeem(token, act)) {
    const confirmation = identity.confirmations.ask(act, says);
    throw new Refusal(
      'confirmation-required',
      token === undefined
        ? 'this needs a second confirmation'
        : 'that confirmation is not for this request, or was used or is too old',
      `send the same request again within a minute with the header ${CONFIRM_HEADER}${
        needsCode ? ` and a fresh code of the second factor as ${CODE_HEADER}` : ''
      }`,
      { extra: { confirmation, needsCode } },
    );
  }
  if (!needsCode) return;
  const isFresh =
    typeof code === 'string' &&
    code !== '' &&
    tryCode(identity, user, actor, () => identity.secondFactor.check(user, code));
  if (!isFresh)
    throw new Refusal(
      'forbidden',
      'a fresh code of the second factor is needed',
      `begin again, and send the code as ${CODE_HEADER} with the second call`,
    );
}
