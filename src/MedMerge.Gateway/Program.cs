using MedMerge;
using MedMerge.Gateway;
using Microsoft.AspNetCore.Connections;

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
catch (IOException problem) when (problem.InnerException is AddressInUseException)
{
    await Console.Error.WriteLineAsync($"error: {problem.Message} Choose another address with --urls or ASPNETCORE_URLS.");
    return 2;
}
