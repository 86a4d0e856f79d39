/** What a colour is for. Names of the page's CSS variables. */
export type Ink =
  | 'ink'
  | 'faint'
  | 'grid'
  | 'own'
  | 'other'
  | 'loss'
  | 'gain'
  | 'third'
  | 'fourth'
  | 'paper'
  | `heat${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`;

type Palette = Readonly<Record<Ink, string>>;

/**
 * Okabe and Ito's hues (2008), told apart with any colour vision, darkened or lightened until text and lines stand out from the
 * paper: blue for the run, orange for losses. Heat goes from orange over paper to blue.
 */
export const LIGHT: Palette = {
  ink: '#17202b',
  faint: '#566273',
  grid: '#e3e7ec',
  own: '#005f9e',
  other: '#7a5195',
  loss: '#b34700',
  gain: '#005f9e',
  third: '#00795a',
  fourth: '#8a6a00',
  paper: '#ffffff',
  heat0: '#8f3600',
  heat1: '#c45f15',
  heat2: '#e5985a',
  heat3: '#f5d2b3',
  heat4: '#f1f1ef',
  heat5: '#bcd9ee',
  heat6: '#73b1dc',
  heat7: '#2b7fb8',
  heat8: '#00487a',
};

export const DARK: Palette = {
  ink: '#e8ecf1',
  faint: '#a3afbd',
  grid: '#2b343f',
  own: '#5cb3f0',
  other: '#c79be0',
  loss: '#f29552',
  gain: '#5cb3f0',
  third: '#3cc79b',
  fourth: '#e0c25a',
  paper: '#141a21',
  heat0: '#ffab70',
  heat1: '#d97b3a',
  heat2: '#a3561f',
  heat3: '#5c3a25',
  heat4: '#2c333b',
  heat5: '#244a66',
  heat6: '#2f78ab',
  heat7: '#56a8de',
  heat8: '#a5d6fb',
};

export const INKS = Object.keys(LIGHT) as readonly Ink[];

/** Colours that stand for inks while a chart is drawn; no palette uses them. */
export const mark = (ink: Ink): string => `#0000${(INKS.indexOf(ink) + 1).toString(16).padStart(2, '0')}`;

/** The ink that such a colour stands for; null for any other. */
export function inkOf(colour: string): Ink | null {
  const found = /^#0000([0-9a-f]{2})$/.exec(colour);
  return found === null ? null : (INKS[Number.parseInt(found[1]!, 16) - 1] ?? null);
}

/** Rules of one palette as CSS variables. */
export const variables = (palette: Palette): string =>
  INKS.map((ink) => `--${ink}:${palette[ink]}`).join(';');
