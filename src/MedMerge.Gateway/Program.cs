using MedMerge;
using MedMerge.Gateway;

try
{
    var app = GatewayApp.Build(args);
    await app.RunAsync().ConfigureAwait(false);
    return 0;
}
catch (InputException problem)
{
    await Console.Error.WriteLineAsync($"error: {problem.Message}").ConfigureAwait(false);
    return 2;
}
catch (IOException problem) // the port is taken
{
    await Console.Error.WriteLineAsync($"failed: {problem.Message}").ConfigureAwait(false);
    return 1;
}
