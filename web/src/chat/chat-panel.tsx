import { type FormEvent, type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { usePortfolio } from '../api/queries.ts';
import { useStore } from '../api/store.ts';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { chatting } from './chat-button.tsx';
import { ask, conversation, type Said, waiting } from './conversation.ts';

const SUGGESTIONS = [
  'What positions are open?',
  'How did it perform today?',
  'How much risk is used?',
  'Why was nothing traded last?',
  'What is each source worth?',
  'How is the breaker?',
];
const LONGEST = 4_000;

const BY: Readonly<Record<Said['by'], string>> = {
  you: 'You',
  model: 'Language model',
  parser: 'Built-in parser',
  nobody: 'No answer',
};

/** Questions and answers about the running system. It can read and never act. */
export default function ChatPanel() {
  const said = useStore(conversation);
  const busy = useStore(waiting);
  const portfolio = usePortfolio();
  const [text, setText] = useState('');
  const list = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLTextAreaElement>(null);
  const parserAnswered =
    said.some((each) => each.by === 'parser') && !said.some((each) => each.by === 'model');

  useEffect(() => {
    box.current?.focus();
  }, []);
  // Scrolling answers with a promise in new browsers, which is no way to end an effect.
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [said, busy]);

  const send = (question: string) => {
    if (question.trim() === '' || busy) return;
    setText('');
    void ask(question, portfolio);
    box.current?.focus();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send(text);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    chatting.set(false);
  };
  return (
    <section
      aria-label="Ask about the running system"
      onKeyDown={press}
      className="fixed inset-x-2 bottom-[calc(4rem+env(safe-area-inset-bottom))] z-40 flex max-h-[min(36rem,calc(100dvh-9rem))] flex-col overflow-hidden rounded-lg border border-line-strong bg-surface shadow-2xl sm:left-auto sm:w-[26rem] md:right-4 md:bottom-4 md:max-h-[min(40rem,calc(100dvh-2rem))]"
    >
      <header className="flex items-center gap-2 border-b border-line px-3 py-2">
        <Icon name="chat" />
        <h2 className="text-sm font-semibold">Ask about the running system</h2>
        <div className="ml-auto flex">
          {said.length > 0 && (
            <Button small look="quiet" disabled={busy} onClick={() => conversation.set([])}>
              Forget
            </Button>
          )}
          <Button small look="quiet" icon="close" aria-label="Close" onClick={() => chatting.set(false)} />
        </div>
      </header>
      <div
        ref={list}
        role="log"
        aria-label="What was said"
        className="thin-scroll flex min-h-0 flex-1 flex-col gap-3 overflow-y-auto p-3"
      >
        {said.length === 0 && (
          <>
            <p className="text-xs text-muted">
              It reads positions, decisions, performance, worth and risk of {portfolio ?? 'your portfolio'}.
              It can never trade or change anything, and forgets all of this when the page is closed.
            </p>
            <ul className="flex flex-wrap gap-1.5">
              {SUGGESTIONS.map((suggestion) => (
                <li key={suggestion}>
                  <Button small onClick={() => send(suggestion)}>
                    {suggestion}
                  </Button>
                </li>
              ))}
            </ul>
            <AddProvider />
          </>
        )}
        {said.map((each) => (
          <Message key={each.id} said={each} />
        ))}
        {busy && (
          <output className="flex items-center gap-2 text-xs text-muted">
            <span className="size-3 animate-spin rounded-full border-2 border-line-strong border-t-transparent" />
            Looking it up…
          </output>
        )}
        {parserAnswered && !busy && <AddProvider />}
      </div>
      <form onSubmit={submit} className="flex items-end gap-2 border-t border-line p-2">
        <label htmlFor="chat-question" className="sr-only">
          Your question
        </label>
        <textarea
          ref={box}
          id="chat-question"
          rows={2}
          value={text}
          maxLength={LONGEST}
          placeholder="Such as: why BTCUSDT?"
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
            event.preventDefault();
            send(text);
          }}
          className="min-h-9 w-full resize-none rounded border border-line-strong bg-bg px-2.5 py-1.5 text-sm text-ink placeholder:text-muted"
        />
        <Button type="submit" look="primary" disabled={text.trim() === '' || busy}>
          Ask
        </Button>
      </form>
    </section>
  );
}

/** Text only: whatever a model writes is shown as it is and never read as markup. */
function Message({ said }: { readonly said: Said }) {
  const own = said.by === 'you';
  return (
    <div
      className={`max-w-[92%] rounded-md border px-3 py-2 ${own ? 'self-end border-transparent bg-hover' : 'self-start border-line bg-raised'}`}
    >
      <p className="text-2xs font-medium text-muted">{BY[said.by]}</p>
      <p className={`text-sm whitespace-pre-wrap ${said.by === 'nobody' ? 'text-danger' : 'text-ink'}`}>
        {said.text}
      </p>
      {said.sources.length > 0 && (
        <p className="mt-1 text-2xs text-muted">Looked up: {said.sources.join(', ')}</p>
      )}
    </div>
  );
}

function AddProvider() {
  return (
    <details className="rounded border border-line px-3 py-2 text-xs text-soft">
      <summary className="font-medium">Answers by a language model: how to add one</summary>
      <ol className="mt-2 flex list-decimal flex-col gap-1 pl-4">
        <li>
          Set <code className="font-mono">QUORUM_LLM_PROVIDER</code> to{' '}
          <code className="font-mono">openai-compatible</code>, <code className="font-mono">openrouter</code>,{' '}
          <code className="font-mono">anthropic</code>, <code className="font-mono">google</code> or{' '}
          <code className="font-mono">groq</code>.
        </li>
        <li>
          Set <code className="font-mono">QUORUM_LLM_MODEL</code> to the name of the model, and{' '}
          <code className="font-mono">QUORUM_LLM_BASE_URL</code> for one of your own, such as{' '}
          <code className="font-mono">http://127.0.0.1:11434/v1</code>.
        </li>
        <li>
          Put the key into a variable and name that variable in{' '}
          <code className="font-mono">QUORUM_LLM_KEY_ENV</code>.
        </li>
        <li>
          Start the server again: <code className="font-mono">quorum serve</code>, or stop and start the
          portfolio.
        </li>
      </ol>
      <p className="mt-2 text-muted">Until then the built-in parser answers the usual questions.</p>
    </details>
  );
}
