namespace MedMerge.AppHost;

/// <summary>When a command can be used.</summary>
internal static class ResourceStates
{
    public static ResourceCommandState EnabledWhileRunning(UpdateCommandStateContext context) =>
        context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;
}
