using MedMerge.Cli;

return await MedMergeCommand.RunAsync(args, Console.Out, Console.Error);
