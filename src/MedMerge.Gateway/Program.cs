using MedMerge;
using MedMerge.Gateway;

try
{
    var app = GatewayApp.Build(args);
    await app.RunAsync();
    return 0;
}
catch (InputException problem)
{
    await Console.Error.WriteLineAsync($"error: {problem.Message}");
    return 2;
}
catch (IOException problem) // the port is in use
{
    await Console.Error.WriteLineAsync($"failed: {problem.Message}");
    return 1;
}
