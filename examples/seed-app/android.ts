/** What the sample uses of Android and memsvc has no counterpart of: its log, its components, its widgets. As little as it takes. */

export const Log = {
  i(tag: string, message: string): void {
    console.log(`${tag}: ${message}`)
  },
}

/** android.app.Service: something that runs without being looked at. */
export abstract class Service {
  abstract onCreate(): void | Promise<void>
  onStart(): void {}
  onDestroy(): void {}
}

/** android.widget.Button. Pressed by the program's arguments. */
export class Button {
  #listener: OnClickListener | null = null

  setOnClickListener(listener: OnClickListener): void {
    this.#listener = listener
  }

  async click(): Promise<void> {
    await this.#listener?.onClick(this)
  }
}

/** android.view.View.OnClickListener */
export interface OnClickListener {
  onClick(v: Button): void | Promise<void>
}

/** android.widget.EditText: filled in from the program's arguments, printed when it changes. */
export class EditText {
  #text = ''

  getText(): string {
    return this.#text
  }

  setText(text: string): void {
    this.#text = text
  }
}
