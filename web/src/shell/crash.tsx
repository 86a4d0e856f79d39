import { Component, type ReactNode } from 'react';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/state.tsx';

interface Props {
  readonly children: ReactNode;
}

/** A page that breaks must not take the stop button with it. */
export class Crash extends Component<Props, { readonly error: Error | null }> {
  override state: { readonly error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <div role="alert">
        <Empty
          title="This page broke"
          icon="warning"
          action={<Button onClick={() => location.reload()}>Reload</Button>}
        >
          {error.message}. Trading is not touched by it, and the stop button above works. A new version of the
          console may have been installed meanwhile: reload.
        </Empty>
      </div>
    );
  }
}
