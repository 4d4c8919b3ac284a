using MedMerge.Experiments.Planning;

namespace MedMerge.Storage.Schedules;

/// <summary>Tells whether a plan was made by the same build of the library.</summary>
internal static class CodeVersion
{
    /// <summary>This process's: builds of the same code have the same, others have others.</summary>
    public static string Current { get; } = typeof(Plan).Module.ModuleVersionId.ToString("N");
}
