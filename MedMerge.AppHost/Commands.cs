#pragma warning disable ASPIREINTERACTION001 // commands with arguments are new in 13.5, and marked as such
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;

namespace MedMerge.AppHost;

/// <summary>What can be done with the resources in the dashboard, and by <c>aspire resource</c>.</summary>
internal static class Commands
{
    private const string Specification = "specification";

    /// <summary>Kills a node as a power cut would, for drills: its work goes on elsewhere.</summary>
    public static IResourceBuilder<ProjectResource> WithKillCommand(this IResourceBuilder<ProjectResource> silo) => silo.WithCommand("kill", "Kill", context =>
    {
        if (!context.Services.GetRequiredService<ResourceNotificationService>().TryGetCurrentState(context.ResourceName, out var state)
            || state.Snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is not { } id)
        {
            return Task.FromResult(CommandResults.Failure($"{context.ResourceName} has no process."));
        }
        using var process = Process.GetProcessById(Convert.ToInt32(id, CultureInfo.InvariantCulture));
        process.Kill(entireProcessTree: true); // the process is `dotnet run`, the node its child
        return Task.FromResult(CommandResults.Success($"{context.ResourceName} was killed. Start brings it back."));
    }, new CommandOptions
    {
        Description = "Kills the node's process without notice.",
        ConfirmationMessage = "Kill this node? Its work goes on elsewhere, from its last checkpoint.",
        IconName = "Flash",
        UpdateState = context => context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
    });

    /// <summary>Submits one of <c>examples/</c>, as <c>medmerge submit</c> does.</summary>
    public static IResourceBuilder<ProjectResource> WithStartSweepCommand(this IResourceBuilder<ProjectResource> gateway)
    {
        var root = Path.GetFullPath("..", gateway.ApplicationBuilder.AppHostDirectory);
        var examples = Directory.GetFiles(Path.Combine(root, "examples"), "*.yaml").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal).ToList();
        return gateway.WithCommand("start-sweep", "Start sweep", async context =>
        {
            var file = Path.Combine(root, "examples", context.Arguments.GetString(Specification) ?? examples[0]);
            var start = new ProcessStartInfo("dotnet", ["run", "-c", "Release", "--project", Path.Combine(root, "src", "MedMerge.Cli"), "--", "submit", file, "--gateway", gateway.GetEndpoint("http").Url])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var submit = Process.Start(start)!;
            var error = submit.StandardError.ReadToEndAsync(context.CancellationToken);
            var id = await submit.StandardOutput.ReadToEndAsync(context.CancellationToken).ConfigureAwait(false);
            await submit.WaitForExitAsync(context.CancellationToken).ConfigureAwait(false);
            return submit.ExitCode == 0 ? CommandResults.Success($"{id.Trim()} is submitted.") : CommandResults.Failure((await error.ConfigureAwait(false)).Trim());
        }, new CommandOptions
        {
            Description = "Submits a specification. Submitting it twice is submitting it once.",
            IconName = "Play",
            IsHighlighted = true,
            Arguments = [new InteractionInput { Name = Specification, Label = "Specification", InputType = InputType.Choice, Required = true, Options = [.. examples.Select(name => KeyValuePair.Create(name, name))] }],
            UpdateState = context => context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled,
        });
    }
}
