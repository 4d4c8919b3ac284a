namespace MedMerge;

/// <summary>
/// The user's input is invalid: a file, a setting or a shape. The message says what is wrong, where, and what to do;
/// the command prints it unchanged and exits with 2. It is never retried.
/// </summary>
public class InputException(string message, Exception? inner = null) : Exception(message, inner);
