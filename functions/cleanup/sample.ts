/**
 * Keeps a random sample of the items that are added, with the same chance for each. It needs memory for `size` items.
 *
 * @param random 0 to 1
 * @see https://doi.org/10.1145/3147.3165 Vitter’s algorithm R
 */
export function createSample<Item>(size: number, random: () => number) {
  const items: Item[] = [];
  let added = 0;
  return {
    items,
    add(item: Item): void {
      added += 1;
      if (items.length < size) {
        items.push(item);
        return;
      }
      const place = Math.floor(random() * added);
      if (place < size) items[place] = item;
    },
  };
}
