/** An element as it will be written: legal text, not yet escaped. */
export interface Layout {
  name: string;
  attributes: readonly (readonly [name: string, value: string])[];
  children: readonly Layout[];
  text: string;
}
