namespace MedMerge.Cli;

/// <summary>A gateway can't be reached, or could not do what it was asked, for a reason that is not the user's.</summary>
internal sealed class GatewayException(string message, Exception? inner = null) : Exception(message, inner);
