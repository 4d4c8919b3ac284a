namespace MedMerge;

/// <summary>
/// Something the user gave is wrong: a file, a setting, a shape. The message says what, where and what to do;
/// the command line prints it as it is and exits with 2. It is never retried.
/// </summary>
public sealed class InputException(string message, Exception? inner = null) : Exception(message, inner);
