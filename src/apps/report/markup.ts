import { plain } from '../cli/plain-text.ts';

/** Text that is markup already; anything else that is put into {@link html} is escaped. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | null | undefined | false | readonly Part[];

/** A template whose values are escaped unless they are markup; null, undefined and false are nothing. */
export function html(pieces: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  let out = pieces[0]!;
  for (const [i, part] of parts.entries()) out += textOfPart(part) + pieces[i + 1]!;
  return new Markup(out);
}

function textOfPart(part: Part): string {
  if (part instanceof Markup) return part.text;
  if (part === null || part === undefined || part === false) return '';
  if (typeof part === 'object') return part.map(textOfPart).join('');
  return escaped(String(part));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for element contents and quoted attributes; controls and directional marks that would steer a reader are shown as U+FFFD. */
export function escaped(text: string): string {
  return plain(text).replace(/[&<>"']/g, (letter) => ESCAPES[letter]!);
}

export const NOTHING = new Markup('');
