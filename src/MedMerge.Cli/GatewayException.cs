namespace MedMerge.Cli;

/// <summary>A gateway is unreachable, or failed for a reason that the user did not cause.</summary>
internal sealed class GatewayException(string message, Exception? inner = null) : Exception(message, inner);
