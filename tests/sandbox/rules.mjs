// Input rules of the create call (3.5) and the DECIMAL(28,8) column behind `amount`.

const NUMERIC = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const isText = (value) => typeof value === 'string';
const isNumeric = (value) => typeof value === 'number' || (isText(value) && NUMERIC.test(value));
const isUrl = (value) => /^(https?|ftp):\/\/[^\s\x00-\x1f]+$/i.test(value) && URL.canParse(value);

export const isMissing = (value) =>
  value === undefined || value === null
  || (typeof value === 'object' && Object.keys(value).length === 0);

function amountErrors(value) {
  if (isMissing(value)) return ['The amount field is required.'];
  const errors = [];
  if (!isText(value)) errors.push('The amount must be a string.');
  if (!isNumeric(value)) errors.push('The amount must be a number.');
  if (!isNumeric(value) || !(Number(value) > 0)) errors.push('The amount must be greater than 0.');
  return errors;
}

function currencyErrors(value, currencies) {
  if (isMissing(value)) return ['The currency field is required.'];
  if (!isText(value)) return ['The currency must be a string.'];
  // The lookup ignores letter case (3.5, inferred).
  return currencies.includes(value.toUpperCase()) ? [] : ['The selected currency is invalid.'];
}

function urlErrors(value, label) {
  if (isMissing(value)) return [`The ${label} field is required.`];
  const errors = [];
  if (!isText(value)) errors.push(`The ${label} must be a string.`);
  if (!isText(value) || !isUrl(value)) errors.push(`The ${label} must be a valid URL.`);
  return errors;
}

function customErrors(value) {
  if (value === undefined || value === null) return [];
  if (!isText(value)) return ['The custom must be a string.'];
  return [...value].length > 255 ? ['The custom must not be greater than 255 characters.'] : [];
}

export function createErrors(input, currencies) {
  return [
    ...amountErrors(input.amount),
    ...currencyErrors(input.currency, currencies),
    ...urlErrors(input.return_url, 'return url'),
    ...urlErrors(input.cancel_url, 'cancel url'),
    ...customErrors(input.custom),
  ];
}

/** A positive numeric text with a fixed number of decimals, or null when 28 digits cannot hold it. */
export function decimal(text, places) {
  const [, whole, fraction, exponent = '0'] = /^\+?(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text);
  const shift = places - fraction.length + Number(exponent);
  if (shift > 28) return null;
  let units = BigInt(whole + fraction);
  if (shift >= 0) {
    units *= 10n ** BigInt(shift);
  } else {
    const divisor = 10n ** BigInt(-shift);
    units = (units + divisor / 2n) / divisor;
  }
  const digits = units.toString().padStart(places + 1, '0');
  if (digits.length > 28) return null;
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
