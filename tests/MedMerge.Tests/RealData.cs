namespace MedMerge.Tests;

/// <summary>Files of the folder that MEDMERGE_DATA names; tests that need them say that they were skipped where it is unset.</summary>
internal static class RealData
{
    public static string File(string relative)
    {
        var folder = Environment.GetEnvironmentVariable("MEDMERGE_DATA");
        if (string.IsNullOrEmpty(folder)) Assert.Skip("MEDMERGE_DATA is not set: real images and weights are not here.");
        return Path.Combine(folder, relative);
    }
}
