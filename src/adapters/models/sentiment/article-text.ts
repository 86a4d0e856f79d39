import { cutText } from '../../alerts/channel.ts';

const TITLE_MOST = 500;
const SUMMARY_MOST = 4_000;
/** More of one field is never looked at. */
const RAW_MOST = 20_000;

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

/**
 * One field of an article as plain text on one line: tags and control characters are taken out, entities are read once, white
 * space becomes single spaces, and it is cut to `most` characters. What remains is scored and nothing else is done with it.
 */
export function plainArticleText(raw: string, most: number): string {
  const text = raw
    .slice(0, RAW_MOST)
    .normalize('NFC')
    .replace(/<[^<>]{0,1000}>/g, ' ')
    .replace(/&(?:#(\d{1,6})|([a-z]{2,4}));/g, (whole, code: string | undefined, name: string | undefined) =>
      code === undefined ? (ENTITIES[name ?? ''] ?? whole) : characterOf(Number(code)),
    )
    .replace(/[\p{C}\p{Z}\s]+/gu, (gap) => (/^[\p{Cf}]+$/u.test(gap) ? '' : ' '))
    .trim();
  return cutText(text, most);
}

function characterOf(code: number): string {
  return code > 0 && code <= 0xffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCharCode(code) : ' ';
}

/** What is scored of an article: its title as a sentence, then its summary. */
export function articleText(title: string, summary: string): string {
  const head = plainArticleText(title, TITLE_MOST);
  const body = plainArticleText(summary, SUMMARY_MOST);
  if (head === '' || body === '') return head + body;
  return /[\p{P}]$/u.test(head) ? `${head} ${body}` : `${head}. ${body}`;
}
