namespace MedMerge;

/// <summary>Folders for a short while.</summary>
internal static class TemporaryFolder
{
    /// <summary>Makes one; the caller removes it.</summary>
    /// <exception cref="InputException">The machine's folder for temporary files is missing or can't be written to.</exception>
    public static DirectoryInfo Create()
    {
        try
        {
            return Directory.CreateTempSubdirectory("medmerge-");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException(
                $"No temporary folder can be made in '{Path.GetTempPath()}': {error.Message} " +
                "Set TMPDIR to a folder that can be written to.",
                error);
        }
    }
}
