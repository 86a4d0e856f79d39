/** Redraws lines in place on a terminal, without leaving the rest of the screen behind. */
export class Screen {
  private drawn = 0;
  private readonly out: NodeJS.WriteStream;

  constructor(out: NodeJS.WriteStream) {
    this.out = out;
    out.write('\u001b[?25l');
  }

  draw(lines: readonly string[]): void {
    const most = Math.max(1, (this.out.rows ?? 24) - 1);
    const shown = lines.slice(0, most);
    const up = this.drawn > 0 ? `\u001b[${this.drawn}A\r` : '\r';
    this.out.write(`${up}${shown.map((line) => `${line}\u001b[K`).join('\n')}\n\u001b[J`);
    this.drawn = shown.length;
  }

  /** Puts a line above what is drawn, where it stays. */
  above(line: string): void {
    const up = this.drawn > 0 ? `\u001b[${this.drawn}A\r` : '\r';
    this.out.write(`${up}\u001b[J${line}\n`);
    this.drawn = 0;
  }

  get columns(): number {
    return this.out.columns ?? 80;
  }

  /** Leaves what is drawn where it is and shows the cursor again. */
  close(): void {
    this.out.write('\u001b[?25h');
  }
}
