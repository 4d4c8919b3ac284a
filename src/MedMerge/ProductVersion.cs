using System.Reflection;

namespace MedMerge;

/// <summary>The version of this code as <c>medmerge --version</c> prints it.</summary>
internal static class ProductVersion
{
    public static string Current { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
