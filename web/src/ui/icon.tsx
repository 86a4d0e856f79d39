/** Line icons on a grid of 16, drawn for this console. */
const SHAPES = {
  overview: 'M2 9.5 5.5 6l3 3L14 3.5M2 13.5h12',
  market: 'M4 2v12M12 2v12M2.5 5h3v5h-3zM10.5 6h3v5h-3z',
  positions: 'M2 4h12v9H2zM5.5 4V2.5h5V4M2 8h12',
  decisions: 'M2 3h12l-4.5 5v4.5L6.5 14V8z',
  sources: 'M8 8.5v5M5.2 11.3a4 4 0 1 1 5.6 0M3 13.4a7 7 0 1 1 10 0M8 8.5h.01',
  risk: 'M2.5 11.5a5.5 5.5 0 1 1 11 0M8 11.5 10.6 7M2 13.5h12',
  research: 'M6.5 2v4L2.5 13.5h11L9.5 6V2M5.5 2h5M5 10h6',
  journal: 'M3.5 2h9v12h-9zM6 5h4M6 8h4M6 11h2.5',
  matrix: 'M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z',
  desks: 'M2 12.5h12M3 12.5v-6h4v6M9 12.5v-9h4v9',
  alerts: 'M4 11V7.5a4 4 0 0 1 8 0V11l1.5 1.5h-11zM6.5 14h3',
  users: 'M8 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 8 8ZM3 14c.4-2.8 2.3-4 5-4s4.6 1.2 5 4',
  settings: 'M3 4.5h5M12 4.5h1M3 11.5h1M8 11.5h5M10 3v3M6 10v3',
  system: 'M3 3h10v4H3zM3 9h10v4H3zM5.5 5h.01M5.5 11h.01',
  stop: 'M5.5 2h5L14 5.5v5L10.5 14h-5L2 10.5v-5zM6 6h4v4H6z',
  close: 'M4 4l8 8M12 4l-8 8',
  check: 'M3 8.5 6.5 12 13 4.5',
  warning: 'M8 2.5 14 13H2zM8 6.5v3M8 11.3h.01',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.5V11M8 5.2h.01',
  up: 'M8 13V3.5M4 7.5l4-4 4 4',
  down: 'M8 3v9.5M4 8.5l4 4 4-4',
  right: 'M6 3.5 10.5 8 6 12.5',
  left: 'M10 3.5 5.5 8l4.5 4.5',
  chevron: 'M3.5 6 8 10.5 12.5 6',
  menu: 'M2.5 4h11M2.5 8h11M2.5 12h11',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.5 10.5 14 14',
  chat: 'M2.5 3h11v8h-6L4.5 13.5V11h-2z',
  moon: 'M13 9.5A5.5 5.5 0 1 1 6.5 3a4.5 4.5 0 0 0 6.5 6.5Z',
  sun: 'M8 10.8a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6ZM8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1',
  screen: 'M2 3h12v8H2zM6 14h4M8 11v3',
  logout: 'M6.5 2.5h-4v11h4M6 8h8M11 5l3 3-3 3',
  refresh: 'M13 6.5A5.3 5.3 0 0 0 3.6 5M3 2.5V5.5h3M3 9.5A5.3 5.3 0 0 0 12.4 11M13 13.5v-3h-3',
  play: 'M4.5 3v10l8-5z',
  pause: 'M5 3v10M11 3v10',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  edit: 'M3 13l.7-3L10.5 3 13 5.5 6 12.3zM9.2 4.3l2.5 2.5',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  link: 'M6 3H3v10h10v-3M9 3h4v4M13 3 7.5 8.5',
  download: 'M8 2.5v7.5M4.5 7 8 10.5 11.5 7M2.5 13.5h11',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.5V8l2.5 1.5',
  keyboard: 'M1.5 4h13v8h-13zM4 6.5h.01M6.6 6.5h.01M9.3 6.5h.01M12 6.5h.01M4.5 9.5h7',
  lock: 'M3.5 7h9v6.5h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
  eye: 'M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8ZM8 9.8a1.8 1.8 0 1 0 0-3.6 1.8 1.8 0 0 0 0 3.6Z',
  filter: 'M2 4h12M4.5 8h7M6.5 12h3',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
} as const;

export type IconName = keyof typeof SHAPES;

interface Props {
  readonly name: IconName;
  readonly size?: number;
  readonly className?: string;
  /** Said to those who do not see it; without it the icon is decoration. */
  readonly label?: string;
}

export function Icon({ name, size = 16, className = '', label }: Props) {
  return (
    <svg
      aria-hidden={label === undefined}
      role={label === undefined ? undefined : 'img'}
      aria-label={label}
      className={`shrink-0 ${className}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={SHAPES[name]} />
    </svg>
  );
}
