#pragma warning disable ASPIREINTERACTION001 // commands with arguments are marked as experimental
using System.Diagnostics;
using System.Reflection;

namespace MedMerge.AppHost;

/// <summary>
/// The <em>Start sweep</em> command of the gateway: submits a specification as <c>medmerge submit</c> does.
/// </summary>
internal static class StartSweepCommand
{
    private const string Specification = "specification";

    /// <param name="folder">Contains the specifications (<c>*.yaml</c>) to choose from.</param>
    public static IResourceBuilder<ProjectResource> WithStartSweepCommand(this IResourceBuilder<ProjectResource> gateway, string folder)
    {
        var names = Directory.GetFiles(folder, "*.yaml")
            .Select(file => Path.GetFileName(file)!)
            .Order(StringComparer.Ordinal)
            .ToList();
        var http = gateway.GetEndpoint("http");
        return gateway.WithCommand("start-sweep", "Start sweep", context => SubmitAsync(context, folder, http), new CommandOptions
        {
            Description = "Submits a specification. Submitting the same one again changes nothing.",
            IconName = "Play",
            IsHighlighted = true,
            Arguments =
            [
                new InteractionInput
                {
                    Name = Specification,
                    Label = "Specification",
                    InputType = InputType.Choice,
                    Required = true,
                    Options = [.. names.Select(name => KeyValuePair.Create(name, name))],
                },
            ],
            UpdateState = ResourceStates.EnabledWhileRunning,
        });
    }

    private static async Task<ExecuteCommandResult> SubmitAsync(ExecuteCommandContext context, string folder, EndpointReference gateway)
    {
        var cancellation = context.CancellationToken;
        var file = Path.Combine(folder, context.Arguments.GetString(Specification)!);
        using var submit = Process.Start(RunMedMerge("submit", file, "--gateway", gateway.Url))!;
        var error = submit.StandardError.ReadToEndAsync(cancellation);
        var id = await submit.StandardOutput.ReadToEndAsync(cancellation);
        await submit.WaitForExitAsync(cancellation);
        return submit.ExitCode == 0
            ? CommandResults.Success($"Submitted as {id.Trim()}.")
            : CommandResults.Failure((await error).Trim());
    }

    /// <summary>Runs the command-line program that was built along with this app host.</summary>
    private static ProcessStartInfo RunMedMerge(params string[] arguments)
    {
        var configuration = typeof(StartSweepCommand).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var project = new Projects.MedMerge_Cli().ProjectPath;
        return new ProcessStartInfo("dotnet", ["run", "--no-build", "-c", configuration, "--project", project, "--", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
    }
}
